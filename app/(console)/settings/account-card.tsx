import { ActionDialog } from '@/app/_ui/action-dialog'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { Item, Items } from '@/app/_ui/item'
import { Note } from '@/app/_ui/note'
import { Time } from '@/app/_ui/time'
import { endOtherSessions, endSession, revoke } from './actions'
import { ChangePassword, MintToken } from './forms'
import type { SettingsData } from './read-page'

/** One's own password and sessions, and the code that says who one is. */
export function AccountCard({ code, sessions, sessionId }: SettingsData) {
  return (
    <Card id="account" title="Your account" aside={`${sessions.total} signed in`}>
      {code !== null && <Code code={code} />}
      <Items>
        {sessions.items.map((session) => (
          <Item
            key={session.id}
            title={
              <>
                {session.device}
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

/** What scripts of this person use. The secret itself is kept nowhere. */
export function TokensCard({ tokens }: SettingsData) {
  const inUse = tokens.filter(({ standing }) => standing !== 'ended').length
  return (
    <Card id="tokens" title="Your tokens" aside={`${inUse} in use`}>
      <p className="px-4 pb-1 text-ink-2">
        A token may do what you may do, until it ends. Revoked ones stop within 10 s.
      </p>
      <Items>
        {tokens.map((token) => (
          <Item
            key={token.id}
            title={
              <>
                {token.name}
                <code className="font-mono font-normal text-ink-3 text-s">{token.start}…</code>
                <Standing token={token} />
              </>
            }
            action={
              <ActionDialog
                opener="Revoke"
                title={`Revoke the token ${token.name ?? ''}`}
                lead="Whatever uses it is refused within 10 s. It cannot be brought back."
                tone="danger"
                confirm="Revoke 1 token"
                action={revoke.bind(null, token.id)}
              />
            }
          >
            made <Time at={token.createdAt} />
            {token.expiresAt !== null && (
              <>
                , {token.standing === 'ended' ? 'ended' : 'ends'} <Time at={token.expiresAt} />
              </>
            )}
          </Item>
        ))}
      </Items>
      <div className="px-4 pt-2 pb-4">
        <MintToken />
      </div>
    </Card>
  )
}

function Standing({ token: { standing } }: { token: SettingsData['tokens'][number] }) {
  if (standing === 'good') return null
  return standing === 'ended' ? <Badge tone="bad">Ended</Badge> : <Badge tone="warn">Ends soon</Badge>
}
