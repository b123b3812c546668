import { ActionDialog } from '@/app/_ui/action-dialog'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { Item, Items } from '@/app/_ui/item'
import { Note } from '@/app/_ui/note'
import { Time } from '@/app/_ui/time'
import type { listSessions } from '@/lib/access/sessions'
import { endOtherSessions, endSession } from './actions'
import { ChangePassword } from './forms'

type Sessions = Awaited<ReturnType<typeof listSessions>>

/** One's own password and sessions, and the code that says who one is. */
export function AccountCard(props: {
  code: string | null
  sessions: Sessions
  /** The one that looks at this. */
  sessionId: string
}) {
  const { code, sessions, sessionId } = props
  return (
    <Card id="account" title="Your account" aside={`${sessions.total} signed in`}>
      {code !== null && <Code code={code} />}
      <Items>
        {sessions.items.map((session) => (
          <Item
            key={session.id}
            title={
              <>
                {deviceName(session.userAgent)}
                {session.id === sessionId && <Badge tone="accent">This one</Badge>}
              </>
            }
            action={
              session.id !== sessionId && (
                <ActionDialog
                  opener="End"
                  title="End 1 session of yours"
                  lead="Anyone who uses it has to sign in again."
                  tone="danger"
                  confirm="End 1 session"
                  action={endSession.bind(null, session.id)}
                />
              )
            }
          >
            since <Time at={session.createdAt} />, last used <Time at={session.usedAt} />
          </Item>
        ))}
      </Items>
      <div className="grid gap-4 px-4 pt-2 pb-4">
        {sessions.total > sessions.items.length && (
          <p className="text-ink-3 text-s">The {sessions.items.length} used last are shown.</p>
        )}
        {sessions.total > 1 && (
          <ActionDialog
            opener="Sign out everywhere else"
            title="End all your other sessions"
            lead="Anyone who uses them has to sign in again. Your tokens go on: revoke them below."
            tone="danger"
            confirm={`End ${sessions.total - 1} sessions`}
            action={endOtherSessions}
          />
        )}
        <ChangePassword />
      </div>
    </Card>
  )
}

function Code({ code }: { code: string }) {
  return (
    <Note tone="warn" className="mx-4 my-2">
      <p>
        Your code is <code className="font-mono font-semibold">{code}</code>. Read it in person to an
        administrator other than who invited you. Until then both of you count as one person, and you may not
        approve together.
      </p>
      <p className="mt-1">Only if you chose your password yourself: else change it first.</p>
    </Note>
  )
}

/** Firefox on Linux; what a browser says of itself is long. */
function deviceName(userAgent: string | null): string {
  if (userAgent === null) return 'Unknown device'
  const browser =
    /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(userAgent)?.[1] ?? userAgent.split(/[ /]/, 1)[0] ?? ''
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(userAgent)?.[1]
  return [NAMES[browser] ?? browser, system].filter(Boolean).join(' on ')
}

const NAMES: Record<string, string> = { Edg: 'Edge', OPR: 'Opera' }
