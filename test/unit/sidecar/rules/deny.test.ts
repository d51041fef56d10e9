import { describe, expect, it } from "vitest";
import { BUILTIN_RESOURCES } from "../../../../sidecar/keys/builtin-resources.js";
import { ALLOW_CLASSES } from "../../../../sidecar/rules/deny.js";
import { kindDenial } from "../../../../sidecar/rules/denied-kinds.js";
import { loadRules } from "../../../../sidecar/rules/load.js";
import {
  judge,
  OPTIONS,
  problemsOf,
  rulesetOf,
  warningsOf,
  type Judged,
} from "../../../fixtures/mirror-rules.js";

const rule = (group: string, kind: string, rest = ""): string =>
  `filters: { secondary: [{ group: "${group}", resources: [{ kind: ${kind} }], ${rest} }] }`;
const EVERYTHING = 'filters: { secondary: [{ group: "*" }] }';
const ALLOW_ALL = `allow: [${ALLOW_CLASSES.join(", ")}]`;

describe("kinds that are never mirrored", () => {
  it.each([
    ["coordination.k8s.io", "Lease", "leases/shop/a"],
    ["coordination.k8s.io", "LeaseCandidate", "leasecandidates/shop/a"],
    ["", "Event", "events/shop/a"],
    ["events.k8s.io", "Event", "events/shop/a"],
    ["networking.k8s.io", "IPAddress", "ipaddresses/10.0.0.1"],
    ["networking.k8s.io", "ServiceCIDR", "servicecidrs/a"],
    ["", "Node", "minions/a"],
    ["storage.k8s.io", "CSINode", "csinodes/a"],
    ["storage.k8s.io", "VolumeAttachment", "volumeattachments/a"],
    ["resource.k8s.io", "ResourceSlice", "resourceslices/a"],
    ["apiregistration.k8s.io", "APIService", "apiregistration.k8s.io/apiservices/v1.apps"],
  ])("%s %s: named it is an error, met it is left out, nothing lifts it", (group, kind, at) => {
    const everything = rulesetOf(EVERYTHING.replace('"*"', `"*", ${ALLOW_ALL}`));

    expect(problemsOf(rule(group, kind)).join()).toContain(`${kind} is not mirrored: `);
    expect(problemsOf(rule(group, kind, ALLOW_ALL)).join()).toContain("nothing lifts this");
    expect(judge(everything, { at }).kind).toBe("no");
  });
});

describe("kinds that a class of allow: lifts", () => {
  it.each([
    ["", "Pod", "controller-created", "pods/shop/a"],
    ["apps", "ReplicaSet", "controller-created", "replicasets/shop/a"],
    ["apps", "ControllerRevision", "controller-created", "controllerrevisions/shop/a"],
    ["", "Endpoints", "controller-created", "services/endpoints/shop/a"],
    ["discovery.k8s.io", "EndpointSlice", "controller-created", "endpointslices/shop/a"],
    ["apps", "Deployment", "workloads", "deployments/shop/a"],
    ["apps", "StatefulSet", "workloads", "statefulsets/shop/a"],
    ["apps", "DaemonSet", "workloads", "daemonsets/shop/a"],
    ["batch", "CronJob", "workloads", "cronjobs/shop/a"],
    ["batch", "Job", "workloads", "jobs/shop/a"],
    ["", "ReplicationController", "workloads", "controllers/shop/a"],
    ["scheduling.k8s.io", "Workload", "workloads", "workloads/shop/a"],
    ["", "PersistentVolume", "volumes", "persistentvolumes/a"],
    ["", "PersistentVolumeClaim", "volumes", "persistentvolumeclaims/shop/a"],
    [
      "admissionregistration.k8s.io",
      "ValidatingWebhookConfiguration",
      "admission",
      "validatingwebhookconfigurations/a",
    ],
    [
      "admissionregistration.k8s.io",
      "MutatingAdmissionPolicyBinding",
      "admission",
      "mutatingadmissionpolicybindings/a",
    ],
    ["flowcontrol.apiserver.k8s.io", "FlowSchema", "cluster-internals", "flowschemas/a"],
    ["node.k8s.io", "RuntimeClass", "cluster-internals", "runtimeclasses/a"],
    [
      "certificates.k8s.io",
      "CertificateSigningRequest",
      "cluster-internals",
      "certificatesigningrequests/a",
    ],
  ])("%s %s: %s", (group, kind, allow, at) => {
    const [problem] = problemsOf(rule(group, kind));

    expect(problem).toContain(`\`allow: [${allow}]\` lifts this`);
    expect(judge(rulesetOf(rule(group, kind, `allow: [${allow}]`)), { at }).kind).toBe("match");
    expect(judge(rulesetOf(EVERYTHING), { at }).kind).toBe("no");
  });
});

describe("single objects that are left out", () => {
  const labels = { "kubernetes.io/bootstrapping": "rbac-defaults" };
  const CLUSTER_ROLES = "rbac.authorization.k8s.io";
  const typed = (type: string) => ({ fields: { type } });
  const owned = (kind: string) => ({
    ownerReferences: [
      {
        apiVersion: "batch/v1",
        kind,
        name: "a",
        uid: "u",
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  });

  it.each<[string, string, string | undefined, Judged]>([
    ["", "ConfigMap", undefined, { at: "configmaps/shop/kube-root-ca.crt" }],
    ["", "ConfigMap", undefined, { at: "configmaps/kube-public/cluster-info" }],
    ["", "ConfigMap", undefined, { at: "configmaps/kube-system/kubeadm-config" }],
    ["", "ConfigMap", undefined, { at: "configmaps/kube-system/kubelet-config" }],
    [
      "",
      "ConfigMap",
      undefined,
      { at: "configmaps/kube-system/extension-apiserver-authentication" },
    ],
    [
      "",
      "Secret",
      undefined,
      { at: "secrets/shop/t", ...typed("kubernetes.io/service-account-token") },
    ],
    [
      "",
      "Secret",
      "bootstrap-tokens",
      { at: "secrets/shop/t", ...typed("bootstrap.kubernetes.io/token") },
    ],
    ["", "Secret", "helm-releases", { at: "secrets/shop/t", ...typed("helm.sh/release.v1") }],
    ["", "ServiceAccount", "default-service-accounts", { at: "serviceaccounts/shop/default" }],
    ["", "Namespace", "system-namespaces", { at: "namespaces/kube-system" }],
    ["", "Namespace", "system-namespaces", { at: "namespaces/default" }],
    ["", "Secret", "system-namespaces", { at: "secrets/kube-system/a" }],
    ["", "Secret", "system-namespaces", { at: "secrets/default/a" }],
    [CLUSTER_ROLES, "ClusterRole", "cluster-internals", { at: "clusterroles/system:node" }],
    [CLUSTER_ROLES, "ClusterRole", "cluster-internals", { at: "clusterroles/admin", labels }],
    [
      CLUSTER_ROLES,
      "ClusterRoleBinding",
      "cluster-internals",
      { at: "clusterrolebindings/system:a" },
    ],
    [
      "scheduling.k8s.io",
      "PriorityClass",
      "cluster-internals",
      { at: "priorityclasses/system-node-critical" },
    ],
    [
      "certificates.k8s.io",
      "ClusterTrustBundle",
      undefined,
      { at: "clustertrustbundles/kubernetes.io:kube-apiserver-serving:a" },
    ],
  ])("%s %s (%s): %j", (group, kind, allow, object) => {
    const denied = judge(rulesetOf(rule(group, kind)), object);
    const allowed = judge(rulesetOf(rule(group, kind, ALLOW_ALL)), object);

    expect(denied).toMatchObject({ kind: "no", why: "denied" });
    expect(denied).toHaveProperty(
      "detail",
      expect.stringContaining(allow === undefined ? "nothing lifts this" : `allow: [${allow}]`),
    );
    expect(allowed.kind).toBe(allow === undefined ? "no" : "match");
  });

  it("are Jobs of CronJobs, even where workloads are allowed", () => {
    const jobs = rulesetOf(rule("batch", "Job", "allow: [workloads]"));

    expect(judge(jobs, { at: "jobs/shop/a", ...owned("CronJob") }).kind).toBe("no");
    expect(judge(jobs, { at: "jobs/shop/a", ...owned("Pipeline") }).kind).toBe("match");
    expect(judge(jobs, { at: "jobs/shop/a" }).kind).toBe("match");
  });

  it("are not those that merely have the name", () => {
    expect(
      judge(rulesetOf(rule("", "ConfigMap")), { at: "configmaps/shop/cluster-info" }).kind,
    ).toBe("match");
    expect(
      judge(rulesetOf(rule("", "ServiceAccount")), { at: "serviceaccounts/shop/x" }).kind,
    ).toBe("match");
  });

  it("lie in a namespace of the cluster, but not for a rule that names it", () => {
    const named = rulesetOf(rule("", "ConfigMap", "namespace: kube-system"));

    expect(judge(named, { at: "configmaps/kube-system/coredns" }).kind).toBe("match");
    expect(judge(named, { at: "configmaps/kube-system/kubeadm-config" }).kind).toBe("no");
  });

  it("lie there for a rule that selects the Namespace by its labels", () => {
    const selected = rulesetOf(rule("", "ConfigMap", "namespaceSelectors: [{}]"));

    expect(judge(selected, { at: "configmaps/default/a" }, { default: {} })).toMatchObject({
      why: "denied",
    });
  });

  it("are mirrored when another rule may", () => {
    const both = rulesetOf(
      "filters: { secondary: [{ resources: [{ kind: Secret }] }, { resources: [{ kind: Secret }], namespace: default }] }",
    );

    expect(judge(both, { at: "secrets/default/a" })).toMatchObject({ kind: "match", rule: 1 });
  });
});

describe("a rule for everything", () => {
  it("warns of each kind that it leaves out, with the reason", () => {
    const warnings = warningsOf(loadRules(EVERYTHING, OPTIONS));
    const denied = BUILTIN_RESOURCES.filter((resource) => kindDenial(resource) !== undefined);

    // And Services, which would need the destination's API server.
    expect(warnings).toHaveLength(denied.length + 1);
    expect(warnings).toContainEqual(
      "line 1 secondary[0]: Lease.coordination.k8s.io is left out: leases of the source take leadership and signs of life from the destination's own controllers and nodes; nothing lifts this",
    );
  });

  it("mirrors what is left", () => {
    const ruleset = rulesetOf(EVERYTHING);

    expect(judge(ruleset, { at: "roles/shop/a" }).kind).toBe("match");
    expect(judge(ruleset, { at: "secrets/shop/a" }).kind).toBe("match");
  });

  it("of a group of which nothing is mirrored is an error", () => {
    const [problem] = problemsOf("filters: { secondary: [{ group: coordination.k8s.io }] }");

    expect(problem).toContain(
      "can never match: nothing of the group coordination.k8s.io is mirrored",
    );
  });
});

describe("allow:", () => {
  it("names classes that there are", () => {
    expect(problemsOf(rule("", "Secret", "allow: [workload]"))).toEqual([
      `1 filters.secondary[0].allow[0]: "workload" is not one of ${ALLOW_CLASSES.join(", ")}; did you mean workloads?`,
    ]);
  });
});
