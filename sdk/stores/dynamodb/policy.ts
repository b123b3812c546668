import { IdempotencyOptionsError } from '../../errors'
import { HOLD_PARTITION, LIVE_INDEX, SCOPE_PARTITION, TIER_PARTITION } from './layout'

export type DynamoPolicyOptions = {
  /** arn:aws:dynamodb:{region}:{account}:table/{name} */
  tableArn: string
  /**
   * `service`: what the store does for requests. `operator`: places and lifts holds. `console`: reads, and acts on keys. It
   * alone may scan: no index finds what is finished.
   * `setup`: createTable.
   */
  for: 'service' | 'operator' | 'console' | 'setup'
}

type Statement = {
  Sid: string
  Effect: 'Allow'
  Action: string[]
  Resource: string
  Condition?: Record<string, Record<string, string[]>>
}

export type DynamoPolicy = { Version: '2012-10-17'; Statement: Statement[] }

/** The IAM policy that lets a role do this and no more; print it with JSON.stringify. Nobody may delete or put whole items. */
export function dynamoPolicy({ tableArn, for: role }: DynamoPolicyOptions): DynamoPolicy {
  if (!/^arn:[a-z-]+:dynamodb:[a-z0-9-]+:\d{12}:table\/[A-Za-z0-9_.-]{3,255}$/.test(tableArn))
    throw new IdempotencyOptionsError([
      'tableArn must be the ARN of one table: arn:aws:dynamodb:{region}:{account}:table/{name}',
    ])
  const allow = (sid: string, actions: string[], partitions?: string[]): Statement => ({
    Sid: sid,
    Effect: 'Allow',
    Action: actions.map((action) => `dynamodb:${action}`),
    Resource: tableArn,
    ...(partitions === undefined
      ? {}
      : { Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions } } }),
  })
  const check = allow('CheckTable', ['DescribeTable', 'DescribeTimeToLive'])
  const STATEMENTS: Record<DynamoPolicyOptions['for'], Statement[]> = {
    service: [
      check,
      allow('Keys', ['GetItem', 'UpdateItem'], ['k#*', TIER_PARTITION, SCOPE_PARTITION]),
      allow('ReadHolds', ['Query'], [HOLD_PARTITION]),
    ],
    operator: [
      allow('Holds', ['GetItem', 'UpdateItem', 'Query'], [HOLD_PARTITION]),
      allow('ReadScopes', ['GetItem', 'Query'], [SCOPE_PARTITION]),
    ],
    console: [
      check,
      allow('Read', ['GetItem', 'BatchGetItem', 'Query', 'Scan']),
      { ...allow('ReadLive', ['Query']), Resource: `${tableArn}/index/${LIVE_INDEX}` },
      allow('Act', ['UpdateItem'], ['k#*', HOLD_PARTITION]),
    ],
    setup: [allow('Setup', ['CreateTable', 'UpdateTimeToLive', 'DescribeTable', 'DescribeTimeToLive'])],
  }
  return { Version: '2012-10-17', Statement: STATEMENTS[role] }
}
