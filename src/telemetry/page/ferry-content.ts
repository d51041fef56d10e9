import { inject, injectable } from "tsyringe";
import { AuditLines } from "../../ports/audit-lines.js";
import { LeaderPage } from "../../ports/leader-page.js";
import { StatusSource } from "../../ports/status.js";
import { ferryLayout, ferryView } from "./ferry-view.js";
import { parseQuery, searchOf } from "./page-query.js";
import type { PageContent, PageLayout, PageView } from "./page-view.js";
import { readView } from "./read-view.js";

/**
 * The core's page. A port-forward to the Deployment or its Service leads to any replica, and only the leader knows how Services
 * stand: a follower shows what the leader shows, and says so; if it cannot, it shows what it knows itself, and where to look.
 */
@injectable()
export class FerryContent implements PageContent {
  constructor(
    @inject(StatusSource) private readonly status: StatusSource,
    @inject(AuditLines) private readonly audit: AuditLines,
    @inject(LeaderPage) private readonly leader: LeaderPage,
  ) {}

  layout(search: unknown): PageLayout {
    return ferryLayout(parseQuery(search));
  }

  async view(search: unknown): Promise<PageView> {
    const query = parseQuery(search);
    const report = this.status.report();
    if (report.role === "follower") {
      const answer = await this.leader.ask(searchOf(query));
      const shown = readView(answer, ferryLayout(query).tables);
      if (shown !== undefined) {
        return { ...shown, about: `${shown.about} · shown by ${report.podName}, which follows` };
      }
    }
    return ferryView(report, this.audit.latest(), query);
  }
}
