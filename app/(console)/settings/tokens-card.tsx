import { ActDialog } from '@/app/_ui/act-dialog'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { Time } from '@/app/_ui/time'
import type { listTokens } from '@/lib/access/list-tokens'
import { revoke } from './act'
import { MintToken } from './mint-token'

type Token = Awaited<ReturnType<typeof listTokens>>[number]

/** What scripts of this person use. The secret itself is kept nowhere. */
export function TokensCard({ tokens }: { tokens: readonly Token[] }) {
  const inUse = tokens.filter(({ standing }) => standing !== 'ended').length
  return (
    <Card id="tokens" title="Your tokens" aside={`${inUse} in use`}>
      <div className="px-4 pb-4">
        <p className="mb-3 text-ink-2">
          A token may do what you may do, until it ends. Revoked ones stop within 10 s.
        </p>
        <ul className="mb-3 divide-y divide-line empty:hidden">
          {tokens.map((token) => (
            <li key={token.id} className="flex items-center justify-between gap-3 py-1.5">
              <span className="min-w-0">
                <span className="font-medium">{token.name}</span>{' '}
                <code className="font-mono text-ink-3 text-s">{token.start}…</code> <Standing token={token} />
                <span className="block text-ink-3 text-s">
                  made <Time at={token.createdAt} />
                  {token.expiresAt !== null && (
                    <>
                      , {token.standing === 'ended' ? 'ended' : 'ends'} <Time at={token.expiresAt} />
                    </>
                  )}
                </span>
              </span>
              <ActDialog
                opener="Revoke"
                title={`Revoke the token ${token.name ?? ''}`}
                lead="Whatever uses it is refused within 10 s. It cannot be brought back."
                tone="danger"
                confirm="Revoke 1 token"
                act={revoke.bind(null, token.id)}
              />
            </li>
          ))}
        </ul>
        <MintToken />
      </div>
    </Card>
  )
}

function Standing({ token: { standing } }: { token: Token }) {
  if (standing === 'good') return null
  return standing === 'ended' ? <Badge tone="bad">Ended</Badge> : <Badge tone="warn">Ends soon</Badge>
}
