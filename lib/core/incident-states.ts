// What an incident is made of: the console, the API and the verbs all read these.

/** What can become of it, by what it is. */
export const INCIDENT_STATUSES = {
  open: ['acknowledged', 'mitigated', 'closed'],
  acknowledged: ['mitigated', 'closed'],
  mitigated: ['open', 'closed'],
  closed: ['open'],
} as const satisfies Record<string, readonly string[]>
export type IncidentStatus = keyof typeof INCIDENT_STATUSES
export const INCIDENT_STATUS_NAMES = Object.keys(INCIDENT_STATUSES) as [IncidentStatus, ...IncidentStatus[]]

export const canBecome = (from: IncidentStatus, to: IncidentStatus): boolean =>
  (INCIDENT_STATUSES[from] as readonly IncidentStatus[]).includes(to)

export const INCIDENT_STATUS_LABEL: Record<IncidentStatus, string> = {
  open: 'Open',
  acknowledged: 'Acknowledged',
  mitigated: 'Mitigated',
  closed: 'Closed',
}

/** The worst first. */
export const INCIDENT_SEVERITIES = ['sev1', 'sev2', 'sev3'] as const
export type IncidentSeverity = (typeof INCIDENT_SEVERITIES)[number]

export const INCIDENT_SEVERITY_MEANING: Record<IncidentSeverity, string> = {
  sev1: 'customers are charged wrongly, or nothing protects them',
  sev2: 'payments are late or stuck',
  sev3: 'no customer notices',
}

/** The payments that are watched, or the console's own processes. */
export const INCIDENT_AREAS = ['payments', 'console'] as const

export const INCIDENT_ROLES = ['commander', 'communications', 'scribe'] as const
export type IncidentRoleName = (typeof INCIDENT_ROLES)[number]

export const INCIDENT_ROLE_LABEL: Record<IncidentRoleName, string> = {
  commander: 'Commander',
  communications: 'Communications',
  scribe: 'Scribe',
}

export const INCIDENT_ENTRY_KINDS = [
  'opened',
  'acknowledged',
  'severity',
  'role',
  'mitigated',
  'closed',
  'reopened',
  'note',
] as const
export type IncidentEntryKind = (typeof INCIDENT_ENTRY_KINDS)[number]
