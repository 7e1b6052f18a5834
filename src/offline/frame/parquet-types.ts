/** The types of a Parquet file's columns as its writer had them, which DuckDB does not tell. */
import { decodeUtf8 } from '../../arrow/metadata-reader.ts';
import { type Field, formatType, type Metadata, type Schema, type TimeUnit } from '../../arrow/schema.ts';
import { decodeSchemaMessage, readEncapsulated } from '../../arrow/schema-message.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { Session } from '../duckdb/engine.ts';
import { quoteFiles } from '../duckdb/sql.ts';
import type { FramePath } from './frame-file.ts';

/** A node of the tree of a Parquet schema, as parquet_schema lists it. */
interface ParquetNode {
  readonly name: string;
  readonly isRequired: boolean;
  readonly isRepeated: boolean;
  readonly physicalType: string;
  readonly byteWidth: number;
  readonly logicalType: string;
  readonly convertedType: string;
  readonly children: readonly ParquetNode[];
}

/**
 * The schema of a frame whose columns DuckDB reads as `read`: the Arrow schema that writers leave in the file's metadata
 * (`ARROW:schema`), dictionaries resolved, or else what the Parquet types say. INVALID_ARGUMENT names a column whose values would be
 * cut by the way they are read.
 */
export async function readParquetTypes(session: Session, read: readonly Field[], path: FramePath): Promise<Schema> {
  const nodes = await readNodes(session, path.file);
  const { metadata, arrow } = await readMetadata(session, path);
  const stored = read.map((field, index) => {
    const node = nodes[index] as ParquetNode;
    const leaves = listLeaves(node)[Symbol.iterator]();
    const refined = refineField(field, node, leaves, (leaf, type) => refuseLoss(node.name, leaf, type, path.name));
    return { ...refined, name: node.name };
  });
  const isOfTheFile = arrow?.length === nodes.length && nodes.every((node, index) => node.name === arrow[index]?.name);
  return { fields: isOfTheFile ? arrow.map(plainField) : stored, metadata };
}

/** The columns, each with what is below it. */
async function readNodes(session: Session, file: string): Promise<readonly ParquetNode[]> {
  const rows = await session.rows(`select * from parquet_schema(${quoteFiles([file])}) order by column_id`);
  let at = 0;
  const readNode = (): ParquetNode => {
    const row = rows[at++] as Record<string, unknown>;
    return {
      name: row.name as string,
      isRequired: row.repetition_type === 'REQUIRED',
      isRepeated: row.repetition_type === 'REPEATED',
      physicalType: String(row.type),
      byteWidth: Number(row.type_length),
      logicalType: String(row.logical_type),
      convertedType: String(row.converted_type),
      children: Array.from({ length: Number(row.num_children ?? 0) }, readNode),
    };
  };
  return readNode().children;
}

function listLeaves(node: ParquetNode): ParquetNode[] {
  return node.children.length === 0 ? [node] : node.children.flatMap(listLeaves);
}

async function readMetadata(
  session: Session,
  { file, name }: FramePath,
): Promise<{ metadata: Metadata; arrow: readonly Field[] | undefined }> {
  const rows = await session.rows(
    `select to_base64(key) as key, to_base64(value) as value from parquet_kv_metadata(${quoteFiles([file])})`,
  );
  const metadata = new Map<string, string | Uint8Array>();
  let arrow: readonly Field[] | undefined;
  for (const row of rows) {
    const key = Buffer.from(row.key as string, 'base64').toString();
    const value = new Uint8Array(Buffer.from(row.value as string, 'base64'));
    if (key === 'ARROW:schema') arrow = decodeArrowSchema(value, name).fields;
    else metadata.set(key, decodeUtf8(value) ?? value);
  }
  return { metadata, arrow };
}

/** base64 of the schema as an encapsulated IPC message. */
function decodeArrowSchema(value: Uint8Array, name: string): Schema {
  try {
    const message = new Uint8Array(Buffer.from(Buffer.from(value).toString('latin1'), 'base64'));
    return decodeSchemaMessage(readEncapsulated(message).header);
  } catch (cause) {
    if (!(cause instanceof FeatureStoreError)) throw cause;
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `"${name}" has an Arrow schema in its metadata that cannot be read (${cause.message}); write the file again`,
      { details: { path: name }, cause },
    );
  }
}

/** Dictionaries do not survive in Parquet: what comes back are their values. */
function plainField({ dictionary, ...field }: Field): Field {
  return { ...field, children: field.children.map(plainField) };
}

/**
 * A field as DuckDB reads it with what the Parquet schema says of it: types by the leaves, which both have in the same order, and
 * what may be null by the node, where it has the usual form.
 */
function refineField(field: Field, node: ParquetNode | undefined, leaves: Iterator<ParquetNode>, refuse: Refuse): Field {
  const nullable = node === undefined || node.isRepeated ? field.nullable : !node.isRequired;
  if (field.children.length > 0) {
    const children = field.children.map((child, index) => refineField(child, childNode(field, node, index), leaves, refuse));
    return { ...field, nullable, children };
  }
  const next = leaves.next();
  return { ...field, nullable, type: next.done ? field.type : refineType(field, next.value, refuse) };
}

/** The node of a field's child: an optional list is a group of a repeated group of its element, a map's that of key and value. */
function childNode(field: Field, node: ParquetNode | undefined, index: number): ParquetNode | undefined {
  if (node === undefined) return undefined;
  if (field.type.id === 'map') return node.children[0];
  const siblings = field.type.id === 'struct' ? node.children : (node.children[0]?.children ?? []);
  return siblings.length === field.children.length ? siblings[index] : undefined;
}

type Refuse = (leaf: ParquetNode, type: string) => never;

function refineType(field: Field, leaf: ParquetNode, refuseLeaf: Refuse): Field['type'] {
  const refuse = (lost: string) => refuseLeaf(leaf, lost);
  const { type } = field;
  const unit = timeUnit(leaf);
  switch (type.id) {
    case 'timestamp':
      if (leaf.physicalType === 'INT96') refuse('INT96');
      if (unit === 'ns' && type.unit !== 'ns') refuse(formatType({ ...field, type: { ...type, unit } }));
      return unit === undefined ? type : { ...type, unit };
    case 'time':
      if (unit === 'ns' && type.unit !== 'ns') refuse(formatType({ ...field, type: { ...type, unit } }));
      return unit === 'ms' ? { ...type, unit, bits: 32 } : type;
    case 'float':
      if (leaf.convertedType === 'DECIMAL' || leaf.logicalType.startsWith('DecimalType'))
        refuse('decimal of more than 38 digits');
      return leaf.logicalType.startsWith('Float16Type') ? { ...type, bits: 16 } : type;
    case 'binary':
      return leaf.physicalType === 'FIXED_LEN_BYTE_ARRAY' ? { id: 'fixedSizeBinary', width: leaf.byteWidth } : type;
    case 'int':
      return leaf.logicalType.startsWith('NullType') ? { id: 'null' } : type;
    default:
      return type;
  }
}

/** `TimestampType(isAdjustedToUTC=1, unit=TimeUnit(MILLIS=MilliSeconds(), MICROS=<null>, NANOS=<null>))`, or an old `TIMESTAMP_MILLIS`. */
function timeUnit({ logicalType, convertedType }: ParquetNode): TimeUnit | undefined {
  const [, name] =
    /[(, ](MILLIS|MICROS|NANOS)=\w+Seconds\(/.exec(logicalType) ?? /^TIME(?:STAMP)?_(MILLIS|MICROS)$/.exec(convertedType) ?? [];
  return name === undefined ? undefined : units[name];
}

const units: Readonly<Record<string, TimeUnit>> = { MILLIS: 'ms', MICROS: 'us', NANOS: 'ns' };

function refuseLoss(column: string, leaf: ParquetNode, type: string, file: string): never {
  const [problem, fix] =
    leaf.convertedType === 'DECIMAL' || leaf.logicalType.startsWith('DecimalType')
      ? ['would be rounded', 'write fewer digits']
      : ['has nanoseconds that would be cut', 'write it in microseconds'];
  throw new FeatureStoreError(
    'INVALID_ARGUMENT',
    `column "${column}" of "${file}" is ${type}, which ${problem} where Parquet is read here; ${fix}, write the frame as an Arrow file (.arrow), or send it through a client`,
    { details: { column, path: file, type } },
  );
}
