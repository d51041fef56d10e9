import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Files that take half a minute and more, the longest first. Begun last, each would let the other workers wait for its end
 * with nothing to do.
 *
 * NB: fault files stand together, as those share servers that follow each other in a worker. The one whose certificates live for
 * seconds begins, beside one that mostly waits.
 */
export const LONG_FILES: readonly string[] = [
  "test/simulation/histories.test.ts",
  "test/fault/admission-rotation.test.ts",
  "test/fault/leadership.test.ts",
  "test/fault/outage.test.ts",
  "test/fault/links.test.ts",
  "test/fault/admission-leader.test.ts",
  "test/fault/lying-list.test.ts",
  "test/fault/slow-destination.test.ts",
  "test/fault/stop.test.ts",
  "test/fault/watch.test.ts",
  "test/fault/ip-families.test.ts",
  "test/integration/install/by-the-book.test.ts",
  "test/integration/controlplane.test.ts",
  "test/integration/install/rights.test.ts",
  "test/integration/admission/secret.test.ts",
  "test/integration/install/manifests.test.ts",
  "test/integration/sidecar/runbook.test.ts",
  "test/integration/sidecar/control-plane.test.ts",
  "test/integration/admission/removal.test.ts",
  "test/integration/certificates.test.ts",
  "test/browser/ferry-page.test.ts",
];

/**
 * In which order workers take the files of a run: group by group, in each the long ones first and then by name. Vitest itself
 * goes by what earlier runs took, of which a clean clone knows nothing, and by the size of a file, which says nothing.
 */
export class FileOrder extends BaseSequencer {
  override async sort(files: readonly TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted(
      (one, other) =>
        groupOf(one) - groupOf(other) ||
        this.#place(one) - this.#place(other) ||
        (one.moduleId < other.moduleId ? -1 : 1),
    );
  }

  /** Among the long ones, or behind them. */
  #place({ moduleId }: TestSpecification): number {
    const place = LONG_FILES.indexOf(relative(this.ctx.config.root, moduleId));
    return place === -1 ? LONG_FILES.length : place;
  }
}

function groupOf({ project }: TestSpecification): number {
  return project.config.sequence.groupOrder;
}
