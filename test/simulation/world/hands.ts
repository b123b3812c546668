import { z } from 'zod'
import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { ROLES, type Role } from '@/lib/core/permissions'
import type { Db } from '@/lib/db'
import { ACCOUNTS, type Account, PERSON_OF } from '../environment/accounts'
import type { Environment } from '../environment/environment'

/** Somebody clicks: who it really is, and what was true of every account at that moment. */
export type Click = { account: Account; person: string; nth: number; standing: Standing }
export type Standing = ReadonlyMap<Account, { userId: string; role: Role; banned: boolean }>

const rowSchema = z.object({ id: z.string(), name: z.string(), role: z.enum(ROLES), banned: z.boolean() })

/** Who can get into which account, which the console does not know; and who has clicked what. */
export class Hands {
  /** By the id of the request. */
  readonly clicks = new Map<string, Click>()
  /** When somebody used a link of an account: whatever waited in its name is over. */
  readonly takeovers: { account: Account; nth: number }[] = []
  /** The roles that accounts had after the move before. */
  standing: Standing = new Map()
  private readonly passwords = new Map<Account, string>(Object.entries(PERSON_OF) as [Account, string][])
  private readonly links = new Map<Account, { secret: string; maker: string }>()
  private readonly sessions: { id: string; account: Account; person: string }[] = []
  private live = new Set<string>()
  private nth = 0

  constructor(private readonly env: Environment) {
    this.passwords.delete('carl')
  }

  /** Before each move: how the accounts are now, as the next request finds them. */
  async look(): Promise<void> {
    if (this.nth === 0) for (const account of this.passwords.keys()) await this.signIn(this.env.db, account)
    this.nth += 1
    const users = await this.env.db.pool.query('SELECT id, name, role, banned FROM "user"')
    const rows = z.array(rowSchema).parse(users.rows)
    this.standing = new Map(
      rows.flatMap(({ id: userId, name, role, banned }) => {
        const account = ACCOUNTS.find((each) => each === name.toLowerCase())
        return account === undefined ? [] : [[account, { userId, role, banned }] as const]
      }),
    )
    const sessions = await this.env.db.pool.query<{ id: string }>('SELECT id FROM session')
    this.live = new Set(sessions.rows.map(({ id }) => id))
  }

  /** A request of whoever is signed in to an account. Throws `forbidden` when nobody is. */
  click(account: Account): Context {
    const session = this.sessions.findLast((each) => each.account === account && this.live.has(each.id))
    const standing = this.standing.get(account)
    if (session === undefined || standing === undefined || standing.banned)
      throw new AppError('forbidden', `nobody is signed in as ${account}`)
    const requestId = `req_${this.clicks.size}`
    this.clicks.set(requestId, { account, person: session.person, nth: this.nth, standing: this.standing })
    const { userId, role } = standing
    const actor = {
      kind: 'user',
      name: account,
      via: 'session',
      userId,
      role,
      sessionId: session.id,
    } as const
    return { ...this.env.system, actor, requestId }
  }

  /** Whoever knows its password signs in. */
  async signIn(db: Db, account: Account): Promise<void> {
    const person = this.passwords.get(account)
    if (person === undefined) return
    const id = `ses_${this.sessions.length}`
    this.sessions.push({ id, account, person })
    await db.pool.query(
      `INSERT INTO session (id, expires_at, token, user_id, updated_at)
       SELECT $1, 'infinity', $1, u.id, clock_timestamp() FROM "user" u WHERE lower(u.name) = $2 AND NOT u.banned`,
      [id, account],
    )
  }

  giveLink(account: Account, secret: string, by: Account): void {
    this.links.set(account, { secret, maker: this.passwords.get(by) ?? PERSON_OF[by] })
  }

  linkOf = (account: Account) => this.links.get(account)
  passwordOf = (account: Account) => this.passwords.get(account)

  accepted(account: Account, person: string): void {
    this.passwords.set(account, person)
    this.takeovers.push({ account, nth: this.nth })
  }

  /** Throws while there is no such account. */
  idOf(account: Account): string {
    const standing = this.standing.get(account)
    if (standing === undefined) throw new AppError('not_found', `there is no account ${account}`)
    return standing.userId
  }

  accountOf = (userId: string | null): Account | undefined =>
    ACCOUNTS.find((account) => this.standing.get(account)?.userId === userId)
}
