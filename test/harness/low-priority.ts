/** A setup file of vitest: what runs here takes only the time that other processes leave. */
import { setPriority, constants } from "node:os";

setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
