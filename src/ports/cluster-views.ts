import type { InjectionToken } from "tsyringe";
import type { DestinationView } from "./destination-view.js";
import type { SourceView } from "./source-view.js";

/** What is known of all clusters, as of now. */
export interface ClusterViews {
  readonly source: SourceView;
  /** The source was listed once. */
  readonly sourceSynced: boolean;
  /** undefined: the destination was not listed yet, or is not heard of for so long that it may be otherwise by now. */
  destination(name: string): DestinationView | undefined;
}
export const ClusterViews: InjectionToken<ClusterViews> = Symbol("ClusterViews");
