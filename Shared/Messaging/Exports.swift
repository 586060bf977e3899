@_exported public import RabbitMQ
