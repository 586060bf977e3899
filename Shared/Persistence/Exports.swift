// A core imports only this module and has the client's types with it.
@_exported public import PostgreSQL
