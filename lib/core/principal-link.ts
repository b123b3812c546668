/** What somebody did with another's account, and whether they then held what signs it in. */
const HOLDS = {
  invited: true,
  minted: true,
  reset: true,
  raised: false,
  renamed: false,
  let_in: false,
  confirmed: false,
} as const

/**
 * The rows of people's hands in another's account; none for the console itself (null) or the account's own person.
 * Insert them in the transaction of the change: four eyes are computed from them.
 */
export const principalLinks = (
  how: keyof typeof HOLDS,
  principalId: string,
  byIds: readonly (string | null)[],
  at: Date,
) =>
  byIds
    .filter((byId): byId is string => byId !== null && byId !== principalId)
    .map((byId) => ({ principalId, byId, how, holds: HOLDS[how], at }))
