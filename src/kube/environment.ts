/** Environment variables, handed in by whoever may read the process's own. */
export type Environment = Readonly<Record<string, string | undefined>>;
