{{- define "bellwether.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* A pod's name is this and a number: 52 characters leave room for the hash that Kubernetes adds to a label. */}}
{{- define "bellwether.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "bellwether.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "bellwether.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "bellwether.selector" -}}
app.kubernetes.io/name: {{ include "bellwether.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "bellwether.labels" -}}
{{ include "bellwether.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: {{ .Values.role }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "bellwether.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "bellwether.fullname" .) }}
{{- else }}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{/* The configuration as it is given, with what the chart decides. */}}
{{- define "bellwether.configuration" -}}
{{- $own := dict "data" "/var/lib/bellwether" "metrics" "0.0.0.0:9464" "kafka" (dict "static_membership" true) }}
{{- if .Values.pseudonymKeySecret }}
{{- $_ := set $own "pseudonym_key_file" "/run/secrets/pseudonym/pseudonym-key" }}
{{- end }}
{{- mergeOverwrite (deepCopy .Values.configuration) $own | toYaml }}
{{- end }}

{{/* The forwarding, a workload of its own beside the instances: its names, its labels, and its configuration with the same Kafka. */}}
{{- define "bellwether.forward.fullname" -}}
{{- printf "%s-forward" (include "bellwether.fullname" . | trunc 44 | trimSuffix "-") }}
{{- end }}

{{- define "bellwether.forward.selector" -}}
app.kubernetes.io/name: {{ include "bellwether.name" . | trunc 55 | trimSuffix "-" }}-forward
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "bellwether.forward.labels" -}}
{{ include "bellwether.forward.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: forward
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "bellwether.forward.configuration" -}}
{{- dict "data" "/var/lib/bellwether" "metrics" "0.0.0.0:9464" "kafka" .Values.configuration.kafka "forward" .Values.forward.settings | toYaml }}
{{- end }}

{{/* What the containers of a pod have in common. */}}
{{- define "bellwether.container" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
env:
  - { name: BELLWETHER_LOG, value: {{ .Values.log | quote }} }
  {{- with .Values.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - { name: state, mountPath: /var/lib/bellwether }
  - { name: configuration, mountPath: /etc/bellwether, readOnly: true }
  {{- if .Values.pseudonymKeySecret }}
  - { name: pseudonym, mountPath: /run/secrets/pseudonym, readOnly: true }
  {{- end }}
  {{- range .Values.secrets }}
  - { name: secret-{{ . }}, mountPath: /run/secrets/{{ . }}, readOnly: true }
  {{- end }}
  {{- if .Values.snapshotsClaim }}
  - { name: snapshots, mountPath: /snapshots }
  {{- end }}
{{- end }}
