import { openDynamoHarness } from './dynamodb-harness'
import { describeHistories } from './histories'

describeHistories('DynamoDB', openDynamoHarness, 16)
