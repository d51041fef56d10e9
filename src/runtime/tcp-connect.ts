/** Does anybody accept a TCP connection there? */
import { createConnection } from "node:net";
import type { Clock } from "../ports/clock.js";
import type { Connect, ConnectAnswer } from "../ports/connect.js";

/** Two lost SYN packets (1 s and 2 s, RFC 6298) are too many for a healthy network; one is forgiven. */
const LIMIT_MS = 2_000;

export function tcpConnect(clock: Clock): Connect {
  return async ({ host, port }, signal) => {
    const over = new AbortController();
    const socket = createConnection({ host, port });
    const answered = new Promise<ConnectAnswer>((resolve) => {
      socket.once("connect", () => resolve("answered"));
      socket.once("error", (error: NodeJS.ErrnoException) => resolve(answerOf(error)));
    });
    const ended = AbortSignal.any([signal, over.signal]);
    const limit = clock.sleep(LIMIT_MS, ended).then((): ConnectAnswer => "silent");
    try {
      return await Promise.race([answered, limit]);
    } finally {
      over.abort();
      socket.destroy();
    }
  };
}

function answerOf({ code }: NodeJS.ErrnoException): ConnectAnswer {
  if (code === "ECONNREFUSED" || code === "ECONNRESET") return "refused";
  return code === "ETIMEDOUT" ? "silent" : "no-way";
}
