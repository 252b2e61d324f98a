"""The greeter of proto/greeter.proto for grpcio, from its descriptors alone: no generated code."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


class Greeter:
    """Message classes and method paths."""

    def __init__(self, descriptors_path):
        files = descriptor_pb2.FileDescriptorSet()
        with open(descriptors_path, "rb") as source:
            files.ParseFromString(source.read())
        self.pool = descriptor_pool.DescriptorPool()
        for file in files.file:
            self.pool.Add(file)
        for name in (
            "HelloRequest",
            "HelloReply",
            "CountRequest",
            "CountReply",
            "SumRequest",
            "SumReply",
            "ChatMessage",
        ):
            descriptor = self.pool.FindMessageTypeByName(f"greeter.{name}")
            setattr(self, name, message_factory.GetMessageClass(descriptor))


# The name that makes both greeters fail, with details and metadata.
UNKNOWN = "nobody"

# The name that makes both greeters wait for ever.
ENDLESS = "forever"
