import { ActDialog } from '@/app/_ui/act-dialog'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { Time } from '@/app/_ui/time'
import type { listSessions } from '@/lib/access/sessions'
import { endOtherSessions, endSession } from './act'
import { ChangePassword } from './change-password'

type Sessions = Awaited<ReturnType<typeof listSessions>>

/** One's own password and sessions, and the code that says who one is. */
export function AccountCard({
  code,
  sessions,
  sessionId,
}: {
  code: string | null
  sessions: Sessions
  /** The one that looks at this. */
  sessionId: string
}) {
  return (
    <Card id="account" title="Your account" aside={`${sessions.total} signed in`}>
      <div className="grid gap-4 px-4 pb-4">
        {code !== null && <Code code={code} />}
        <ul className="divide-y divide-line">
          {sessions.items.map((session) => (
            <li key={session.id} className="flex items-center justify-between gap-3 py-1.5">
              <span className="min-w-0">
                <span className="font-medium">{deviceName(session.userAgent)}</span>{' '}
                {session.id === sessionId && <Badge tone="accent">this one</Badge>}
                <span className="block text-ink-3 text-s">
                  since <Time at={session.createdAt} />, last used <Time at={session.usedAt} />
                </span>
              </span>
              {session.id !== sessionId && (
                <ActDialog
                  opener="End"
                  title="End 1 session of yours"
                  lead="Anyone who uses it has to sign in again."
                  tone="danger"
                  confirm="End 1 session"
                  act={endSession.bind(null, session.id)}
                />
              )}
            </li>
          ))}
        </ul>
        {sessions.total > sessions.items.length && (
          <p className="text-ink-3 text-s">The {sessions.items.length} used last are shown.</p>
        )}
        {sessions.total > 1 && (
          <ActDialog
            opener="Sign out everywhere else"
            title="End all your other sessions"
            lead="Anyone who uses them has to sign in again. Your tokens go on: revoke them below."
            tone="danger"
            confirm={`End ${sessions.total - 1} sessions`}
            act={endOtherSessions}
          />
        )}
        <ChangePassword />
      </div>
    </Card>
  )
}

function Code({ code }: { code: string }) {
  return (
    <div className="rounded-m bg-warn-soft px-3 py-2 text-warn-ink">
      <p>
        Your code is <code className="font-mono font-semibold">{code}</code>. Read it in person to an
        administrator other than who invited you. Until then both of you count as one person, and you may not
        approve together.
      </p>
      <p className="mt-1">Only if you chose your password yourself: else change it first.</p>
    </div>
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
