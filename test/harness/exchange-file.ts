import { rename, writeFile } from "node:fs/promises";

/** As the kubelet exchanges what a Secret's volume holds: whoever reads sees the old content or the new one, never a part. */
export async function exchangeFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.next`, text, { mode: 0o600 });
  await rename(`${path}.next`, path);
}
