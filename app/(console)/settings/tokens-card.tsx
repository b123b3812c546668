import { ActionDialog } from '@/app/_ui/action-dialog'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { Item, Items } from '@/app/_ui/item'
import { Time } from '@/app/_ui/time'
import type { listTokens } from '@/lib/access/list-tokens'
import { revoke } from './actions'
import { MintToken } from './forms'

type Token = Awaited<ReturnType<typeof listTokens>>[number]

/** What scripts of this person use. The secret itself is kept nowhere. */
export function TokensCard({ tokens }: { tokens: readonly Token[] }) {
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

function Standing({ token: { standing } }: { token: Token }) {
  if (standing === 'good') return null
  return standing === 'ended' ? <Badge tone="bad">Ended</Badge> : <Badge tone="warn">Ends soon</Badge>
}
