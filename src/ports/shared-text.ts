/** For the kit, which may not import the domain. */
export { shared } from "../domain/shared-text.js";
