/** A Pod as far as whoever runs it looks into it. */
import type { Stored } from "./manifest.js";

export interface PodObject extends Stored {
  readonly metadata: Stored["metadata"] & { readonly namespace: string };
  readonly spec: {
    readonly containers: readonly PodContainer[];
    readonly volumes?: readonly PodVolume[];
    readonly serviceAccountName?: string;
    readonly terminationGracePeriodSeconds?: number;
    readonly restartPolicy?: string;
    readonly nodeName?: string;
  };
  readonly status?: { readonly podIP?: string };
}

export interface PodContainer {
  readonly name: string;
  readonly image: string;
  /** undefined: the image's own. */
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly PodVariable[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly readinessProbe?: { readonly httpGet?: { readonly path: string } };
}

interface PodVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}

export interface PodVolume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string };
  readonly projected?: { readonly sources: readonly ProjectedSource[] };
}

/** One of the three is set. */
export interface ProjectedSource {
  readonly serviceAccountToken?: { readonly path: string; readonly expirationSeconds: number };
  readonly configMap?: {
    readonly name: string;
    readonly items: readonly { readonly key: string; readonly path: string }[];
  };
  readonly downwardAPI?: {
    readonly items: readonly {
      readonly path: string;
      readonly fieldRef: { readonly fieldPath: string };
    }[];
  };
}
