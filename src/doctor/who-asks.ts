import type { InspectedCluster } from "../ports/inspected-cluster.js";

/** As whom the cluster knows whoever asks; "somebody" where it does not tell (before Kubernetes 1.28). */
export async function userName({ raw }: InspectedCluster, signal: AbortSignal): Promise<string> {
  const { body } = await raw.ask(
    {
      method: "POST",
      path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
    },
    signal,
  );
  const { status } = body as {
    readonly status?: { readonly userInfo?: { readonly username?: string } };
  };
  return status?.userInfo?.username ?? "somebody";
}
