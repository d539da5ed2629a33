{{/* What the names of everything begin with: the release's name, once. */}}
{{- define "bourse.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains "bourse" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-bourse" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{/* Labels that select: of the release (root), or of one of its components (root, component). */}}
{{- define "bourse.selector" -}}
app.kubernetes.io/name: bourse
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/* All labels of an object (root, component). */}}
{{- define "bourse.labels" -}}
{{ include "bourse.selector" . }}
app.kubernetes.io/part-of: bourse
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Name, namespace and labels of an object (root, component, and name where it is not that of the component). */}}
{{- define "bourse.metadata" -}}
name: {{ .name | default (printf "%s-%s" (include "bourse.fullname" .root) .component) }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "bourse.labels" . | nindent 2 }}
{{- end }}

{{- define "bourse.image" -}}
{{- $image := .Values.image -}}
{{ $image.repository }}{{ if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* The Secret of tokens and the Secret of the servers' URLs. */}}
{{- define "bourse.secrets" -}}
{{ .Values.secrets.existing | default (printf "%s-secrets" (include "bourse.fullname" .)) }}
{{- end }}
{{- define "bourse.backing" -}}
{{- if .Values.backing.enabled -}}
{{ include "bourse.fullname" . }}-backing
{{- else -}}
{{ required "Name the Secret with rabbitmq-url, mongodb-url and redis-url (backingServices.existingSecret), or try the servers inside (backing.enabled=true)" .Values.backingServices.existingSecret }}
{{- end -}}
{{- end }}

{{/* The Secret that the operator makes of all banks' webhook secrets; its name gets to the operator through the shard template. */}}
{{- define "bourse.webhookSecrets" -}}
{{ include "bourse.fullname" . }}-webhook-secrets
{{- end }}

{{/* A value of a Secret as it is in the cluster; a new one where there is none (root, secret, key). */}}
{{- define "bourse.kept" -}}
{{- $found := lookup "v1" "Secret" .root.Release.Namespace .secret -}}
{{- $data := get (default dict $found) "data" | default dict -}}
{{- if hasKey $data .key }}{{ get $data .key | b64dec }}{{ else }}{{ randAlphaNum 43 }}{{ end -}}
{{- end }}

{{- define "bourse.exchangeUrl" -}}
{{- if .Values.exchangeUrl }}{{ .Values.exchangeUrl }}
{{- else if .Values.sandbox.enabled }}http://{{ include "bourse.fullname" . }}-mock-exchange:3001
{{- else }}{{ fail "Say where bank trades are executed (exchangeUrl), or use the simulated exchange (sandbox.enabled=true)" }}{{ end -}}
{{- end }}

{{/* Rolls pods when the configuration that they read at the start changes. */}}
{{- define "bourse.checksum" -}}
checksum/config: {{ include (print .Template.BasePath "/config.yaml") . | sha256sum }}
{{- end }}
