/** The kinds of values that only the mirror's settings have. */
import { invalid, ok, type Parsed } from "./parsed.js";
import type { ValueType } from "./value-types.js";

/** Where one etcd member answers. */
export interface Endpoint {
  /** undefined: as written, `host:port`; TLS or not follows from `--…-insecure-transport`. */
  readonly scheme: "http" | "https" | undefined;
  /** "10.0.0.1:2379", "[fd00::1]:2379", "etcd-0.etcd:2379" */
  readonly hostPort: string;
}

const ENDPOINT =
  /^(?:(https?):\/\/)?((?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?|\[[0-9a-f:.]+\]):(\d{1,5}))\/?$/i;

/** `scheme://host:port` or `host:port`, with commas between them. */
export const endpointList: ValueType<readonly Endpoint[]> = {
  placeholder: "endpoints",
  allowed: "scheme://host:port or host:port, http or https, with commas between them",
  parse: (text) => {
    const endpoints: Endpoint[] = [];
    for (const part of text.split(",").map((one) => one.trim())) {
      const [, scheme, hostPort, port] = ENDPOINT.exec(part) ?? [];
      if (hostPort === undefined) return invalid("is not a list of endpoints");
      if (Number(port) < 1 || Number(port) > 65_535) return invalid("has a port out of range");
      endpoints.push({ scheme: schemeOf(scheme), hostPort });
    }
    return ok(endpoints);
  },
};

function schemeOf(text: string | undefined): Endpoint["scheme"] {
  if (text === undefined) return undefined;
  return text.toLowerCase() === "http" ? "http" : "https";
}

/** A prefix of etcd keys, "/registry": as with API servers, slashes at its ends may be left out. Never where our own records are. */
export const keyPrefix: ValueType<string> = {
  placeholder: "prefix",
  allowed: "a prefix of keys such as /registry, not /svc-ferry",
  parse: (text): Parsed<string> => {
    const prefix = `/${text.replaceAll(/^\/+|\/+$/g, "")}`;
    if (!/^(?:\/[\w.:@~-]+)+$/.test(prefix) || prefix.length > 256) {
      return invalid("is not a prefix of keys");
    }
    return /^\/svc-ferry(?:\/|$)/.test(prefix) ? invalid("holds the mirror's records") : ok(prefix);
  },
};

/** A revision of etcd; 0 stands for "none in particular". */
export const revision: ValueType<bigint> = {
  placeholder: "revision",
  allowed: "a whole number from 0 to 9223372036854775807",
  parse: (text) => {
    if (!/^\d{1,19}$/.test(text)) return invalid("is not a whole number");
    const value = BigInt(text);
    return value < 2n ** 63n ? ok(value) : invalid("is out of range");
  },
};
