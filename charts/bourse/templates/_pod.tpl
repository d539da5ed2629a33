{{/* Labels and annotations of a pod (root, component, annotations, group of shards): none that a new chart alone would change. */}}
{{- define "bourse.podMetadata" -}}
labels:
  {{- include "bourse.selector" . | nindent 2 }}
  app.kubernetes.io/part-of: bourse
  {{- with .group }}
  bourse.dev/group: {{ . }}
  {{- end }}
annotations:
  {{- include "bourse.checksum" .root | nindent 2 }}
  {{- with .annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* What the pods of all components have alike (root, component, spreadBy: further labels that tell pods of one kind). */}}
{{- define "bourse.pod" -}}
{{- $values := .root.Values -}}
serviceAccountName: {{ include "bourse.fullname" .root }}-{{ .component }}
automountServiceAccountToken: {{ eq .component "operator" }}
enableServiceLinks: false
# Node is not process 1 then: a SIGTERM ends it also while it starts and does not listen for it yet.
shareProcessNamespace: true
securityContext:
  {{- include "bourse.podSecurity" .root | nindent 2 }}
{{- with $values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if $values.topologySpread.enabled }}
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ $values.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "bourse.selector" $ | nindent 8 }}
    {{- with $.spreadBy }}
    matchLabelKeys: [{{ . }}]
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "bourse.podSecurity" -}}
runAsNonRoot: true
{{- with .Values.runAsUser }}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
fsGroup: {{ int64 . }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "bourse.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* Image, program and rights of a container (root, program). */}}
{{- define "bourse.container" -}}
image: {{ include "bourse.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: [{{ .program }}]
securityContext:
  {{- include "bourse.containerSecurity" . | nindent 2 }}
envFrom:
  - configMapRef: { name: {{ include "bourse.fullname" .root }}-config }
{{- end }}

{{/* Which file of the volume "secrets" holds which variable. */}}
{{- define "bourse.secretVariables" -}}
control-token: BOURSE_CONTROL_TOKEN
admin-token: BOURSE_ADMIN_TOKEN
jwt-secret: AUTH_JWT_SECRET
rabbitmq-url: BOURSE_RABBITMQ_URL
mongodb-url: BOURSE_MONGODB_URL
redis-url: BOURSE_REDIS_URL
{{- end }}

{{/* A value as a quoted text; a number with all its digits, which "toString" would give as 5e+06. */}}
{{- define "bourse.text" -}}
{{ ternary . (toJson .) (kindIs "string" .) | quote }}
{{- end }}

{{/* Variables that name the files of secrets (keys), then those of a component (env). */}}
{{- define "bourse.env" -}}
{{- $variables := include "bourse.secretVariables" . | fromYaml -}}
{{- range .keys }}
- { name: {{ get $variables . }}_FILE, value: /etc/bourse/secrets/{{ . }} }
{{- end }}
{{- range $name, $value := .env }}
- name: {{ $name }}
  value: {{ include "bourse.text" $value }}
{{- end }}
{{- end }}

{{/* Secrets come as files, none as a variable: only those a component needs (root, keys). */}}
{{- define "bourse.secretVolume" -}}
- name: secrets
  projected:
    defaultMode: 288 # r--r-----; YAML readers disagree about octal numbers
    sources:
      {{- $tokens := list "control-token" "admin-token" "jwt-secret" }}
      {{- $own := list }}
      {{- $servers := list }}
      {{- range .keys }}
      {{- if has . $tokens }}{{ $own = append $own . }}{{ else }}{{ $servers = append $servers . }}{{ end }}
      {{- end }}
      {{- if $own }}
      - secret:
          name: {{ include "bourse.secrets" .root }}
          items: [{{ range $index, $key := $own }}{{ if $index }}, {{ end }}{ key: {{ $key }}, path: {{ $key }} }{{ end }}]
      {{- end }}
      {{- if $servers }}
      - secret:
          name: {{ include "bourse.backing" .root }}
          items: [{{ range $index, $key := $servers }}{{ if $index }}, {{ end }}{ key: {{ $key }}, path: {{ $key }} }{{ end }}]
      {{- end }}
- name: tmp
  emptyDir: { sizeLimit: 64Mi }
{{- end }}

{{- define "bourse.mounts" -}}
- { name: secrets, mountPath: /etc/bourse/secrets, readOnly: true }
- { name: tmp, mountPath: /tmp }
{{- end }}

{{/*
Probes (live, ready: paths; port: name). A start may take ten minutes: it waits for its servers, and on a node with too much to
do one that is killed for being slow begins anew, which makes all others slower still.
*/}}
{{- define "bourse.probes" -}}
startupProbe:
  httpGet: { path: {{ .live }}, port: {{ .port }} }
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: 600
readinessProbe:
  httpGet: { path: {{ .ready }}, port: {{ .port }} }
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
livenessProbe:
  httpGet: { path: {{ .live }}, port: {{ .port }} }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end }}

{{/* A container that serves partitions (root, program, keys, env, resources). A pod that is deleted serves until it has none left. */}}
{{- define "bourse.shard" -}}
name: shard
{{ include "bourse.container" . }}
env:
  - name: BOURSE_SHARD_NAME
    valueFrom: { fieldRef: { fieldPath: metadata.name } }
  {{- with .serviceUrl }}
  - { name: BOURSE_SERVICE_URL, value: {{ . | quote }} }
  {{- end }}
  {{- include "bourse.env" . | nindent 2 }}
ports:
  - { name: control, containerPort: 3100 }
lifecycle:
  preStop: { httpGet: { path: "/health/drained?waitSeconds=25", port: control } }
{{ include "bourse.probes" (dict "live" "/health/live" "ready" "/health/ready" "port" "control") }}
resources:
  {{- toYaml .resources | nindent 2 }}
volumeMounts:
  {{- include "bourse.mounts" . | nindent 2 }}
{{- end }}
