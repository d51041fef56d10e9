import { credentials } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { Connection } from "../../../../sidecar/etcd/connection.js";
import { statusRequest } from "../../../../sidecar/etcd/requests.js";
import { headerOnly } from "../../../../sidecar/etcd/responses.js";
import { VirtualClock } from "../../../fakes/virtual-clock.js";

it("a connection that was retired while a call waited to be sent on it sends nothing, and says so", async () => {
  const connection = new Connection(
    {
      address: "127.0.0.1:1",
      credentials: credentials.createInsecure(),
      ...{ dialTimeoutMs: 1, keepaliveTimeMs: 5_000, keepaliveTimeoutMs: 6_000 },
    },
    new VirtualClock(),
  );

  connection.retire();

  const call = connection.unary({
    method: "Maintenance/Status",
    request: statusRequest(),
    decode: headerOnly,
    ...{ token: undefined, timeoutMs: 1_000, signal: new AbortController().signal },
  });
  await expect(call).rejects.toMatchObject({ name: "EtcdError", kind: "unavailable" });
});
