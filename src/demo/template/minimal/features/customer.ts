import { batchSource, csv, entity, featureService, featureView } from 'featherflight';

// What features describe, and the column that says which one.
export const customer = entity('customer', { joinKeys: { customer_id: 'int64' } });

// Where the rows are. parquet(...) and json(...) read other files; a glob reads many files as one table.
export const customerDaily = batchSource('customer_daily', {
  table: csv('data/customer_daily.csv'),
  eventTimestamp: 'event_timestamp',
});

// Which columns are features, and how old a row may be.
export const customerStats = featureView('customer_stats', {
  entities: [customer],
  source: customerDaily,
  ttl: '7d',
  features: {
    orders_30d: { type: 'int64', default: 0, description: 'Orders in 30 days.' },
    spend_30d: { type: 'float64', description: 'Money spent in 30 days.' },
  },
});

// What one model asks for, under one name.
export const churn = featureService('churn_v1', { features: [customerStats] });
