import { Badge, type BadgeTone } from '@/app/_ui/badge'
import {
  INCIDENT_SEVERITY_MEANING,
  INCIDENT_STATUS_LABEL,
  type IncidentSeverity,
  type IncidentStatus,
} from '@/lib/core/incident-states'

const STATUS_TONE: Record<IncidentStatus, BadgeTone> = {
  open: 'bad',
  acknowledged: 'warn',
  mitigated: 'ok',
  closed: 'plain',
}
const SEVERITY_TONE: Record<IncidentSeverity, BadgeTone> = { sev1: 'bad', sev2: 'warn', sev3: 'plain' }

export const StatusBadge = ({ status }: { status: IncidentStatus }) => (
  <Badge tone={STATUS_TONE[status]}>{INCIDENT_STATUS_LABEL[status]}</Badge>
)

/** Of one that is closed it only says which it was. */
export const IncidentSeverityBadge = (props: { severity: IncidentSeverity; closed: boolean }) => (
  <Badge
    tone={props.closed ? 'plain' : SEVERITY_TONE[props.severity]}
    title={INCIDENT_SEVERITY_MEANING[props.severity]}
  >
    {props.severity.toUpperCase()}
  </Badge>
)
