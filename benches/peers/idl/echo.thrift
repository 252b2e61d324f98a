namespace rs bench

struct EchoMessage {
  1: required binary body,
}

service Echo {
  EchoMessage Unary(1: EchoMessage message),
}
