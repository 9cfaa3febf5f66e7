package sqlerr

// Parsing.
var (
	// Syntax is text that no grammar of ours accepts.
	Syntax = Code{1064, "42000"}
	// NotSupported is understood and refused by name.
	NotSupported = Code{1235, "42000"}
	// EmptyQuery is a statement without any token.
	EmptyQuery = Code{1065, "42000"}
)

// Binding: names, types, shapes of a statement.
var (
	UnknownDatabase     = Code{1049, "42000"}
	NoDatabaseSelected  = Code{1046, "3D000"}
	UnknownTable        = Code{1146, "42S02"}
	UnknownTableAlias   = Code{1109, "42S02"}
	UnknownColumn       = Code{1054, "42S22"}
	AmbiguousColumn     = Code{1052, "23000"}
	UnknownFunction     = Code{1305, "42000"}
	WrongArguments      = Code{1582, "42000"} // argument count or types of a function
	DuplicateAlias      = Code{1066, "42000"}
	DuplicateColumn     = Code{1060, "42S21"}
	CannotDropColumn    = Code{1091, "42000"} // DROP COLUMN of one that is not there
	CannotRemoveAll     = Code{1090, "42000"} // DROP COLUMN of the only one
	WrongColumnName     = Code{1166, "42000"}
	InvalidDefault      = Code{1067, "42000"}
	DefinitionChanged   = Code{1412, "HY000"} // of a table, while a statement was writing to it
	WrongColumnCount    = Code{1222, "21000"} // set operations
	OperandColumns      = Code{1241, "21000"} // a subquery with the wrong number of columns
	SubqueryMoreThanOne = Code{1242, "21000"}
	NotGrouped          = Code{1055, "42000"}
	MisplacedAggregate  = Code{1111, "HY000"}
	ValueCount          = Code{1136, "21S01"}
	IncorrectValue      = Code{1366, "HY000"} // text that is no number
	WrongValue          = Code{1292, "22007"} // a literal that does not fit its type
	TypeMismatch        = Code{1105, "HY000"}
	UnknownVariable     = Code{1193, "HY000"}
	NotRolledBack       = Code{1196, "HY000"}
	WrongVariableValue  = Code{1231, "42000"}
	ReadOnlyVariable    = Code{1238, "HY000"}
	GlobalVariable      = Code{1229, "HY000"} // SET of a setting that sessions do not have
	WrongFieldSpec      = Code{1063, "42000"}
	WrongUsage          = Code{1221, "HY000"}
	NoDefaultValue      = Code{1364, "HY000"}
	UnknownCharset      = Code{1115, "42000"}
	UnknownTimeZone     = Code{1298, "HY000"}
	WrongParamCount     = Code{1210, "HY000"}
)

// Catalog.
var (
	DatabaseExists  = Code{1007, "HY000"}
	CannotDropDB    = Code{1008, "HY000"}
	TableExists     = Code{1050, "42S01"}
	UnknownTableDDL = Code{1051, "42S02"} // DROP of something that is not there
	NotBaseTable    = Code{1347, "HY000"}
	WrongName       = Code{1103, "42000"}

	// WrongDefinition is Doris's general refusal of a definition; see Detail.
	WrongDefinition    = Code{1105, "HY000"}
	PartitionExists    = Code{1517, "HY000"}
	UnknownPartition   = Code{1735, "HY000"}
	NotPartitioned     = Code{1505, "HY000"} // a partition of a table that has none
	TooManyPartitions  = Code{1499, "HY000"}
	WrongPartitionName = Code{1567, "HY000"}
	ColocateSchema     = Code{5063, "42000"} // the table does not fit its colocate group
	ColocateNotInUse   = Code{5064, "42000"} // the table is in no colocate group
)

// Execution.
var (
	OutOfRange = Code{1264, "22003"}
	// OutOfRangeArith is a result that its type cannot hold: BIGINT value is out of range.
	OutOfRangeArith = Code{1690, "22003"}
	DataTooLong     = Code{1406, "22001"}
	NotNull         = Code{1048, "23000"}
	Interrupted     = Code{1317, "70100"} // KILL QUERY, Ctrl-C, a client that went away
	QueryTimeout    = Code{3024, "HY000"}
	Internal        = Code{1105, "HY000"}
)

// Storage.
var (
	CorruptFile    = Code{1033, "HY000"}
	FileNotFound   = Code{1017, "HY000"}
	FileIO         = Code{1030, "HY000"}
	DataLocked     = Code{1015, "HY000"} // the data folder is open in another process
	WrongSeparator = Code{1083, "42000"} // FIELDS and LINES of a text file
	FileExists     = Code{1086, "HY000"} // INTO OUTFILE writes over nothing
	// OptionPrevents is what a setting of the server does not allow: files outside of secure_file_priv.
	OptionPrevents = Code{1290, "HY000"}
	// LocalInfile is LOAD DATA LOCAL that the client or the server does not allow.
	LocalInfile = Code{3948, "42000"}
)

// Resources.
var (
	OutOfMemory        = Code{1038, "HY001"}
	OutOfResources     = Code{1041, "HY000"} // a query that could not start: too many run already
	TooManyConnections = Code{1040, "08004"}
	UnknownThread      = Code{1094, "HY000"}
)

// Server.
var (
	AccessDenied     = Code{1045, "28000"}
	AccessDeniedDB   = Code{1044, "42000"}
	UnknownCommand   = Code{1047, "08S01"}
	UnknownStatement = Code{1243, "HY000"}
	NotPrepared      = Code{1295, "HY000"} // statements that only the text protocol has
	PacketTooLarge   = Code{1153, "08S01"}
	MalformedPacket  = Code{1835, "HY000"}
)
