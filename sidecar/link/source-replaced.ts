/** The source is not the one that was mirrored: another term begins, and compares everything. */
export class SourceReplaced extends Error {
  override readonly name = "SourceReplaced";
}
