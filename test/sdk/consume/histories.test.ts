import { describeMessageHistories } from './message-histories'

describeMessageHistories()
