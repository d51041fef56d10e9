import type { EtcdCallOptions, RangeOptions, RangeResult } from "../../sidecar/etcd/etcd.js";
import { ProcessEtcd } from "./process-etcd.js";

/** An etcd as one process sees it, with a note of every range that it has asked for. */
export class ReadLog extends ProcessEtcd {
  #ranges: RangeOptions[] = [];

  /** Prefixes that were read with their values since the last look, page by page. */
  takePages(): readonly string[] {
    const ranges = this.#ranges;
    this.#ranges = [];
    return ranges
      .filter(
        ({ rangeEnd, keysOnly, countOnly }) => rangeEnd !== undefined && !keysOnly && !countOnly,
      )
      .map(({ key }) => key);
  }

  override range(options: RangeOptions, call: EtcdCallOptions): Promise<RangeResult> {
    this.#ranges.push(options);
    return super.range(options, call);
  }
}
