import { networkInterfaces } from "node:os";

/** Where others on the same network reach this host, when nobody says it; its loopback if it has nothing else. */
export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outward = all.filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  const first = outward.find(({ family }) => family === "IPv4") ?? outward[0];
  return first?.address ?? "127.0.0.1";
}
