import { Badge } from '@/app/_ui/badge'

/** How urgent a class of case is; of a case that is settled it only says which it was. */
export function SeverityBadge({ severity, settled = false }: { severity: string; settled?: boolean }) {
  const tone = settled ? 'plain' : severity === 'P1' ? 'bad' : severity === 'P2' ? 'warn' : 'plain'
  return <Badge tone={tone}>{severity}</Badge>
}
