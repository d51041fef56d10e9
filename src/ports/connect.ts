/** Where somebody may listen. */
export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * `answered`: somebody accepts connections. `refused`: the host is there, and nobody listens. `silent`: no word within two
 * seconds. `no-way`: this host knows no way there.
 */
export type ConnectAnswer = "answered" | "refused" | "silent" | "no-way";

/** Opens a TCP connection and closes it again; no byte is sent. Never rejects. */
export type Connect = (to: TcpAddress, signal: AbortSignal) => Promise<ConnectAnswer>;
