import { Badge } from '@/app/_ui/badge'

/** How urgent a class of case is. */
export const SeverityBadge = ({ severity }: { severity: string }) => (
  <Badge tone={severity === 'P1' ? 'bad' : severity === 'P2' ? 'warn' : 'plain'}>{severity}</Badge>
)
