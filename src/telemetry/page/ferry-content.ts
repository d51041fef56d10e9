import { inject, injectable } from "tsyringe";
import { AuditLines } from "../../ports/audit-lines.js";
import { StatusSource } from "../../ports/status.js";
import { ferryLayout, ferryView } from "./ferry-view.js";
import { parseQuery } from "./page-query.js";
import type { PageContent, PageLayout, PageView } from "./page-view.js";

/** The core's page. */
@injectable()
export class FerryContent implements PageContent {
  constructor(
    @inject(StatusSource) private readonly status: StatusSource,
    @inject(AuditLines) private readonly audit: AuditLines,
  ) {}

  layout(search: unknown): PageLayout {
    return ferryLayout(parseQuery(search));
  }

  view(search: unknown): PageView {
    return ferryView(this.status.report(), this.audit.latest(), parseQuery(search));
  }
}
