{{/* A claim named "data" (persistence). */}}
{{- define "bourse.claim" -}}
- metadata: { name: data }
  spec:
    accessModes: [ReadWriteOnce]
    {{- with .persistence.storageClass }}
    storageClassName: {{ . }}
    {{- end }}
    resources: { requests: { storage: {{ .persistence.size }} } }
{{- end }}

{{/* One server of the evaluation set (root, name, port, values, command parts as YAML: container; volumes; keeps: has a disk). */}}
{{- define "bourse.server" -}}
{{- $persistence := .root.Values.backing.persistence -}}
{{- $withDisk := and .keeps $persistence.enabled -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  {{- include "bourse.metadata" (dict "root" .root "component" .name) | nindent 2 }}
spec:
  serviceName: {{ include "bourse.fullname" .root }}-{{ .name }}
  replicas: 1
  selector:
    matchLabels:
      {{- include "bourse.selector" (dict "root" .root "component" .name) | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "bourse.selector" (dict "root" .root "component" .name) | nindent 8 }}
        app.kubernetes.io/part-of: bourse
    spec:
      serviceAccountName: {{ include "bourse.fullname" .root }}-{{ .name }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 30
      # The user of the public images.
      securityContext:
        runAsNonRoot: true
        runAsUser: 999
        runAsGroup: 999
        fsGroup: 999
        fsGroupChangePolicy: OnRootMismatch
        seccompProfile: { type: RuntimeDefault }
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .name }}
          image: {{ .values.image | quote }}
          imagePullPolicy: {{ .values.imagePullPolicy }}
          securityContext:
            {{- include "bourse.containerSecurity" . | nindent 12 }}
          {{- .container | nindent 10 }}
          ports:
            - { name: {{ .name }}, containerPort: {{ .port }} }
          startupProbe: { tcpSocket: { port: {{ .name }} }, periodSeconds: 1, failureThreshold: 180 }
          readinessProbe: { tcpSocket: { port: {{ .name }} }, periodSeconds: 1, failureThreshold: 3 }
          livenessProbe: { tcpSocket: { port: {{ .name }} }, periodSeconds: 10, failureThreshold: 6 }
          resources:
            {{- toYaml .values.resources | nindent 12 }}
          volumeMounts:
            - { name: tmp, mountPath: /tmp }
            - { name: data, mountPath: {{ .folder }} }
            {{- with .mounts }}
            {{- . | nindent 12 }}
            {{- end }}
      volumes:
        - name: tmp
          emptyDir: { sizeLimit: 64Mi }
        {{- if not $withDisk }}
        - name: data
          emptyDir: {}
        {{- end }}
        {{- with .volumes }}
        {{- . | nindent 8 }}
        {{- end }}
  {{- if $withDisk }}
  volumeClaimTemplates:
    {{- include "bourse.claim" (dict "persistence" $persistence) | nindent 4 }}
  {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "bourse.metadata" (dict "root" .root "component" .name) | nindent 2 }}
spec:
  selector:
    {{- include "bourse.selector" (dict "root" .root "component" .name) | nindent 4 }}
  ports:
    - { name: {{ .name }}, port: {{ .port }}, targetPort: {{ .name }} }
{{- end }}
