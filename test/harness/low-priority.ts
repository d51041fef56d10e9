/** A setup file of vitest: what runs here takes only the time that other processes leave. */
import { constants, getPriority, setPriority } from "node:os";

// The whole run may have less already.
setPriority(Math.max(getPriority(), constants.priority.PRIORITY_BELOW_NORMAL));
