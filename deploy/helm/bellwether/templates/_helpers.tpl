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
{{- if .Values.console.enabled }}
{{- $_ := set $own "console" (include "bellwether.console" . | fromYaml) }}
{{- end }}
{{- mergeOverwrite (deepCopy .Values.configuration) $own | toYaml }}
{{- end }}

{{/* Of the section `console`, what the chart decides. Its tokens come as variables, so the ConfigMap has none of their hashes. */}}
{{- define "bellwether.console" -}}
address: "0.0.0.0:{{ .Values.console.port }}"
read_tokens_sha256: ["${CONSOLE_READ_TOKEN_SHA256}"]
write_tokens_sha256: ["${CONSOLE_WRITE_TOKEN_SHA256}"]
{{- if .Values.console.adminToken }}
admin_tokens_sha256: ["${CONSOLE_ADMIN_TOKEN_SHA256}"]
{{- end }}
{{- if .Values.console.tlsSecret }}
tls_certificate_file: /run/secrets/console-tls/tls.crt
tls_key_file: /run/secrets/console-tls/tls.key
{{- end }}
{{- if not (dig "console" "advertised_url" "" .Values.configuration) }}
advertised_url: "{{ ternary "https" "http" (ne .Values.console.tlsSecret "") }}://${POD_NAME}.{{ include "bellwether.fullname" . }}.{{ .Release.Namespace }}.svc:{{ .Values.console.port }}"
{{- end }}
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
  - { name: BELLWETHER_LOG_FORMAT, value: {{ .Values.logFormat | quote }} }
  {{- if .Values.console.enabled }}
  - { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
  {{- range concat (list "read" "write") (ternary (list "admin") list .Values.console.adminToken) }}
  - name: CONSOLE_{{ upper . }}_TOKEN_SHA256
    valueFrom: { secretKeyRef: { name: {{ $.Values.console.tokensSecret }}, key: {{ . }} } }
  {{- end }}
  {{- end }}
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
  {{- if and .Values.console.enabled .Values.console.tlsSecret }}
  - { name: console-tls, mountPath: /run/secrets/console-tls, readOnly: true }
  {{- end }}
  {{- if .Values.snapshotsClaim }}
  - { name: snapshots, mountPath: /snapshots }
  {{- end }}
{{- end }}
