/** The little of dynalite that is used; it has no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http'

  const dynalite: (options: { createTableMs?: number; path?: string }) => Server
  export default dynalite
}

declare module 'dynalite/db/index.js' {
  type Item = Record<string, import('@aws-sdk/client-dynamodb').AttributeValue>
  type Failure = { body: { Item?: Item } }

  const db: {
    checkConditional(request: { TableName: string }, item: Item | undefined): Failure | null | undefined
    updateIndexes(
      store: unknown,
      table: { TableName: string },
      before: Item | undefined,
      after: Item | undefined,
      done: () => void,
    ): void
  }
  export default db
}
