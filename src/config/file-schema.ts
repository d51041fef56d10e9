/**
 * The lists of the `--config` file. Beside the keys of the settings table (settings.ts) it may hold:
 *
 * ```yaml
 * destinations:
 *   - name: eks-b               # default: the context's name
 *     context: eks-b            # or inCluster: true
 *     kubeconfig: /etc/eks-b    # default: the setting kubeconfig
 *     paused: false
 * routes:
 *   - name: shop
 *     destination: eks-b        # default: the only destination
 *     namespaces: [shop, cart]  # or "*"
 *     selector: sync=true       # default: the setting syncLabel
 *     markLabel: sync=ext       # default: the setting markLabel, or the selector's label + "-external"
 *     target: { namespace: "prod-{namespace}", name: "{name}" }
 *     targets: { namespaces: [prod-x] }   # what svc-ferry.io/target-namespace may name as well
 *     copyAnnotations: [example.com/owner]
 *     addressCIDRs: [10.0.0.0/8]
 *     createNamespace: false    # default: the setting createNamespace, else false
 *     paused: false
 * ```
 */
import { z } from "zod";
import {
  annotationKey,
  cidr,
  labelSelector,
  line,
  mark,
  namespaceName,
  template,
  type ValueType,
} from "./value-types.js";

export const destinationSchema = z.strictObject({
  name: text(line("name")).optional(),
  context: text(line("context")).optional(),
  kubeconfig: text(line("path")).optional(),
  inCluster: z.boolean().optional(),
  paused: z.boolean().optional(),
});

export const routeSchema = z.strictObject({
  name: text(line("name")),
  destination: text(line("name")).optional(),
  namespaces: z.union([
    z.array(text(namespaceName)).min(1),
    z.literal("*").transform((): "all" => "all"),
  ]),
  selector: text(labelSelector).optional(),
  markLabel: text(mark).optional(),
  target: z.strictObject({ namespace: text(template), name: text(template).optional() }),
  targets: z.strictObject({ namespaces: z.array(text(namespaceName)) }).optional(),
  copyAnnotations: z.array(text(annotationKey)).optional(),
  addressCIDRs: z.array(text(cidr)).optional(),
  createNamespace: z.boolean().optional(),
  paused: z.boolean().optional(),
});

export type FileDestination = z.output<typeof destinationSchema>;
export type FileRoute = z.output<typeof routeSchema>;

/** A string that a value type reads; what it finds wrong becomes the issue's message, what is right a parameter. */
function text<T>(type: ValueType<T>): z.ZodType<T> {
  return z.string().transform((written, context): T => {
    const parsed = type.parse(written);
    if (parsed.kind === "ok") return parsed.value;
    context.addIssue({
      code: "custom",
      message: parsed.reason,
      params: { allowed: type.allowed },
    });
    return z.NEVER;
  });
}
