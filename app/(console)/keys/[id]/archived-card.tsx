import type { UserContext } from '@/app/_server/context'
import { Card } from '@/app/_ui/card'
import { Time } from '@/app/_ui/time'
import { plural } from '@/lib/core/format-figure'
import { parseKeyId } from '@/lib/keys/key-id'
import { findArchived } from '@/lib/retention/archive/find'

/** Earlier lives of the key that were archived before they were collected; nothing where there are none. */
export async function ArchivedCard({ ctx, id }: { ctx: UserContext; id: string }) {
  const lives = await findArchived(ctx, parseKeyId(id))
  if (lives.length === 0) return null
  return (
    <Card id="archive" title="In the archive" aside={plural(lives.length, 'life', 'lives')}>
      <ul className="px-4 pb-3">
        {lives.map((life) => (
          <li key={life.createdAt} className="border-line border-b py-1.5 last:border-b-0">
            <span className="block">
              First acquired <Time at={instant(life.createdAt)} kind="seconds" />, expired{' '}
              <Time at={instant(life.expiresAt)} kind="seconds" />
            </span>
            <span className="block break-all text-ink-2 text-s">
              Archived <Time at={life.archivedAt} /> in <code>{life.file}</code>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  )
}

/** As the store printed it, with its microseconds. */
const instant = (text: string): string => new Date(text).toISOString()
