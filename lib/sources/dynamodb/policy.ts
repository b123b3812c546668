import { type DynamoConfig, mappingOf, readAttributes, writtenAttributes } from './config'

/**
 * The IAM policy of a role that may do what this source does, and no more. Nobody may delete, put or query; a scan may only
 * ask for the attributes that are mapped, and an update only touch what a verb compares and writes.
 */
export function policyText(config: DynamoConfig): string {
  const mapping = mappingOf(config)
  const attributes = readAttributes(mapping)
  const resource = `arn:aws:dynamodb:REGION:ACCOUNT:table/${config.table}`
  const only = (Action: string[]) => ({
    Effect: 'Allow',
    Action,
    Resource: resource,
    Condition: {
      'ForAllValues:StringEquals': { 'dynamodb:Attributes': attributes },
      StringEqualsIfExists: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' },
    },
  })
  const written = writtenAttributes(mapping)
  const statements = [
    { Sid: 'Look', Effect: 'Allow', Action: ['dynamodb:DescribeTable'], Resource: resource },
    { Sid: 'Read', ...only(['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Scan']) },
    ...(written.length === 0
      ? []
      : [
          {
            Sid: 'Act',
            Effect: 'Allow',
            Action: ['dynamodb:UpdateItem'],
            Resource: resource,
            Condition: {
              'ForAllValues:StringEquals': {
                'dynamodb:Attributes': [...new Set([...attributes, ...written])],
              },
              StringEqualsIfExists: { 'dynamodb:ReturnValues': ['NONE', 'UPDATED_OLD', 'UPDATED_NEW'] },
            },
          },
        ]),
  ]
  return `${JSON.stringify({ Version: '2012-10-17', Statement: statements }, null, 2)}\n`
}
