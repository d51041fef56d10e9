import { request } from "undici";

/** A control plane's etcd behind the API server's back, over etcd's JSON gateway. */
export class RawEtcd {
  /** @param address "http://127.0.0.1:2379" */
  constructor(private readonly address: string) {}

  /** @throws Error when there is no such key */
  async get(key: string): Promise<Buffer> {
    const answer = await this.#call("range", { key: base64(key) });
    const value = /"value":"(?<value>[^"]*)"/.exec(answer)?.groups?.["value"];
    if (value === undefined) throw new Error(`etcd has no key ${key}`);
    return Buffer.from(value, "base64");
  }

  async put(key: string, value: Buffer): Promise<void> {
    await this.#call("put", { key: base64(key), value: value.toString("base64") });
  }

  async #call(what: string, body: Readonly<Record<string, string>>): Promise<string> {
    const url = `${this.address}/v3/kv/${what}`;
    const answer = await request(url, { method: "POST", body: JSON.stringify(body) });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`etcd answered ${answer.statusCode}: ${text}`);
    return text;
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
