import { LoaderCircle, LockOpen, Rocket, Scale, Trash2 } from 'lucide-react'
import { Card } from '@/app/_ui/card'
import { coveringClass } from '@/app/_ui/class-names'
import { PageLink } from '@/app/_ui/page-link'
import { Time } from '@/app/_ui/time'
import { ACTIVITIES_SHOWN, type Activity } from '@/lib/alerts/now/activity'

const ICON = { run: Scale, collection: Trash2, action: LockOpen, deploy: Rocket } as const

export function ActivityCard({ items }: { items: readonly Activity[] }) {
  return (
    <Card
      id="activity"
      title="In flight and recent"
      aside={items.length === 0 ? undefined : `latest ${items.length}`}
    >
      <ul className="pb-1" style={{ minHeight: 36 * ACTIVITIES_SHOWN }}>
        {items.length === 0 && <li className="px-4 pt-2 text-ink-2">No run, action or deploy yet.</li>}
        {items.map((item, index) => (
          <Row key={item.id} item={item} first={index === 0} />
        ))}
      </ul>
    </Card>
  )
}

function Row({ item, first }: { item: Activity; first: boolean }) {
  const Icon = item.progress === null ? ICON[item.icon] : LoaderCircle
  return (
    <li
      className={`relative flex min-h-9 items-center gap-3 px-4 max-md:min-h-13 ${first ? '' : 'border-line border-t'} ${item.href === null ? '' : 'hover:bg-sunken'}`}
    >
      <Icon size={15} aria-hidden="true" className="shrink-0 text-ink-2" />
      <p className="min-w-0 flex-1 py-1.5 md:truncate" title={`${item.text}: ${item.detail}`}>
        {item.href === null ? (
          item.text
        ) : (
          <PageLink href={item.href} className={coveringClass}>
            {item.text}
          </PageLink>
        )}
        <span className="text-ink-3 max-md:block max-md:truncate max-md:text-xs md:ml-1.5">
          {item.detail}
        </span>
      </p>
      <p className="shrink-0 text-ink-3">
        {item.progress === null ? <Time at={item.at} kind="age" /> : `${Math.floor(item.progress * 100)} %`}
      </p>
    </li>
  )
}
