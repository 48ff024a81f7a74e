{{- define "relapse-cds.name" -}}
{{- printf "%s" .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "relapse-cds.labels" -}}
app.kubernetes.io/name: relapse-cds
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "relapse-cds.selector" -}}
app.kubernetes.io/name: relapse-cds
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: service
{{- end -}}

{{- define "relapse-cds.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* What every pod of the service has in common: nobody's rights, nothing written, secrets as files. */}}
{{- define "relapse-cds.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "relapse-cds.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- define "relapse-cds.environment" -}}
- {name: RELAPSE_CDS_CONFIG, value: /etc/relapse-cds/site.toml}
- {name: RELAPSE_CDS_SECRETS, value: /run/secrets/relapse-cds}
- {name: RELAPSE_CDS_PUBLIC_URL, value: {{ .Values.publicUrl | quote }}}
- {name: RELAPSE_CDS_HOST, value: "0.0.0.0"}
- {name: RELAPSE_CDS_PORT, value: "8080"}
{{- if .Values.secrets.certificateAuthority }}
- {name: RELAPSE_CDS_CA_FILE, value: /etc/relapse-cds-ca/ca.crt}
{{- end }}
{{- if .Values.tracing.endpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .Values.tracing.endpoint | quote }}}
{{- end }}
{{- end -}}

{{- define "relapse-cds.mounts" -}}
- {name: config, mountPath: /etc/relapse-cds, readOnly: true}
- {name: secrets, mountPath: /run/secrets/relapse-cds, readOnly: true}
- {name: temporary, mountPath: /tmp}
{{- if .Values.secrets.certificateAuthority }}
- {name: certificate-authority, mountPath: /etc/relapse-cds-ca, readOnly: true}
{{- end }}
{{- end -}}

{{- define "relapse-cds.volumes" -}}
- name: config
  configMap: {name: {{ include "relapse-cds.name" . }}}
- name: secrets
  secret: {secretName: {{ .Values.secrets.service }}, defaultMode: 0440}
- name: temporary
  emptyDir: {sizeLimit: 256Mi}
{{- if .Values.secrets.certificateAuthority }}
- name: certificate-authority
  secret: {secretName: {{ .Values.secrets.certificateAuthority }}, defaultMode: 0444}
{{- end }}
{{- end -}}
