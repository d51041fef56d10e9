/** "host:port" as a leader publishes it on its Lease, IPv6 in brackets. */

export interface HandOffAddress {
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z.-]+)):([0-9]{1,5})$/;

/** undefined: it is none. */
export function parseAddress(text: string): HandOffAddress | undefined {
  const [, v6, name = v6, digits] = ADDRESS.exec(text) ?? [];
  const port = Number(digits);
  return name !== undefined && port >= 1 && port <= 65_535 ? { host: name, port } : undefined;
}
