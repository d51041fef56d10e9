{{- define "svc-ferry.labels" -}}
app.kubernetes.io/name: svc-ferry
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- /* The same in every release: a Deployment's selector cannot be changed. */}}
{{- define "svc-ferry.pods" -}}
app.kubernetes.io/name: svc-ferry
app.kubernetes.io/component: ferry
{{- end }}

{{- define "svc-ferry.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- /* The configuration as written, and what follows from where it is installed. */}}
{{- define "svc-ferry.config" -}}
{{- $config := deepCopy .Values.config }}
{{- if ne .Release.Namespace "k8s-sync" }}{{ $_ := set $config "leaderElectionNamespace" .Release.Namespace }}{{ end }}
{{- if ne .Values.clusterName "svc-ferry" }}{{ $_ := set $config "webhookConfiguration" .Values.clusterName }}{{ end }}
{{- $_ := set $config "kubeconfigSecret" .Values.kubeconfigSecret }}
{{- toYaml $config }}
{{- end }}

{{- /* Namespaces that Services travel from, as JSON in "items"; "*" stands for all. */}}
{{- define "svc-ferry.sourceNamespaces" -}}
{{- $found := list }}
{{- range .Values.config.routes }}
{{- if kindIs "string" .namespaces }}{{ $found = append $found .namespaces }}{{ else }}{{ $found = concat $found .namespaces }}{{ end }}
{{- else }}
{{- $found = append $found (.Values.config.srcNs | default "default") }}
{{- end }}
{{- if has "*" $found }}{{ $found = list "*" }}{{ end }}
{{- dict "items" (uniq $found) | toJson }}
{{- end }}

{{- define "svc-ferry.destinationSubjects" -}}
- { kind: ServiceAccount, name: svc-ferry, namespace: {{ .Release.Namespace }} }
{{- with .Values.destination.subjects }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* The etcd mirror, the same beside svc-ferry and by itself. */}}
{{- define "svc-ferry.mirrorContainer" -}}
- name: mirror
  image: {{ include "svc-ferry.image" . }}
  {{- with .Values.image.pullPolicy }}
  imagePullPolicy: {{ . }}
  {{- end }}
  args:
    - mirror
    - run
    - --mode=active-standby
    - --mirror-rule=/etc/mirror-rules/rules.yaml
    - --source-endpoints=$(SOURCE_ENDPOINTS)
    - --source-cacert=/etc/mirror-source/ca.crt
    - --source-cert=/etc/mirror-source/tls.crt
    - --source-key=/etc/mirror-source/tls.key
    - --dest-endpoints=$(DEST_ENDPOINTS)
    - --dest-cacert=/etc/mirror-dest/ca.crt
    - --dest-cert=/etc/mirror-dest/tls.crt
    - --dest-key=/etc/mirror-dest/tls.key
  env:
    - name: SOURCE_ENDPOINTS
      valueFrom: { configMapKeyRef: { name: svc-ferry-mirror, key: source-endpoints } }
    - name: DEST_ENDPOINTS
      valueFrom: { configMapKeyRef: { name: svc-ferry-mirror, key: dest-endpoints } }
  ports:
    - { name: mirror, containerPort: 10520, protocol: TCP }
  livenessProbe:
    httpGet: { path: /healthz, port: mirror }
    periodSeconds: 10
    timeoutSeconds: 2
    failureThreshold: 6
  resources: {{- toYaml .Values.mirror.resources | nindent 4 }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: { drop: [ALL] }
  volumeMounts:
    - { name: mirror-rules, mountPath: /etc/mirror-rules, readOnly: true }
    - { name: mirror-source, mountPath: /etc/mirror-source, readOnly: true }
    - { name: mirror-dest, mountPath: /etc/mirror-dest, readOnly: true }
{{- end }}

{{- define "svc-ferry.mirrorVolumes" -}}
- name: mirror-rules
  configMap: { name: svc-ferry-mirror-rules }
- name: mirror-source
  secret: { secretName: {{ .Values.mirror.sourceSecret }} }
- name: mirror-dest
  secret: { secretName: {{ .Values.mirror.destSecret }} }
{{- end }}
