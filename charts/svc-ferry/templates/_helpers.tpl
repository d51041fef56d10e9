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
